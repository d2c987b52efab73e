"""Who acts and who looks: the actor of a request, the access log, and its search."""
