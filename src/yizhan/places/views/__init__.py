"""The pages of this room: `public` for everyone, the others for the desk."""
