"""How do records of another platform become ours? Mappings: written as data, checked, suggested, and shipped."""
