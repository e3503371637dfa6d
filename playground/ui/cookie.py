"""The name under which a browser keeps who it is."""

OWNER_COOKIE = "playground_owner"
