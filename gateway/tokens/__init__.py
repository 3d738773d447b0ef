"""Who we are towards the platform: where tokens come from, how they are replaced and kept out of sight."""
