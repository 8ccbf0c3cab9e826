"""Response templates: versions, approval, merge fields."""
