"""The contexts: what the product does. Each stands alone; what is beside this folder is the ground they stand on."""
