"""How fast faces are found, beside facenet-pytorch; and what faster settings miss."""
