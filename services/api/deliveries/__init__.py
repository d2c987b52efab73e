"""Webhook deliveries: listing and retrying."""
