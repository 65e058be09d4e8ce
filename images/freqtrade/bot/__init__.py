"""What runs in the bot's container around freqtrade: checks, the write lock, backups, restore, the watchdog."""
