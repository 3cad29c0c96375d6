"""What the stack runs on: an emulator, SAM to build and deploy, and the stack as it is deployed."""
