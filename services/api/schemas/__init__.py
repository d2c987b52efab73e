"""Response schemas that several features share, from which the OpenAPI document is generated."""
