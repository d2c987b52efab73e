"""The shapes of answers, for the OpenAPI document and whoever generates a client from it."""
