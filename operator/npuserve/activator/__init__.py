"""Its own process: holds requests to services that have no replica until one answers."""
