"""The pages of the console, one module each; every module adds its routes to the blueprint."""
