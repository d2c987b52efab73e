"""Commands for keys, destinations, parked deliveries, protocols and the OpenAPI document."""
