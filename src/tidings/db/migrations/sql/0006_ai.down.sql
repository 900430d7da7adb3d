DROP TABLE tidings.token_usage;
