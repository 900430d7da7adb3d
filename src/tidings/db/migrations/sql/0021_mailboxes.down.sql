DROP FUNCTION tidings.due_mailboxes_v1(integer, interval);
DROP TABLE tidings.mailboxes;
