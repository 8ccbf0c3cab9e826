"""Letters in: the clinic's mailboxes read over IMAP, what bounced, and what machines wrote."""
