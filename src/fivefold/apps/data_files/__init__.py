"""Commands that make tables, COCO files and folders of others; what they read stays as it is."""
