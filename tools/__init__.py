"""What `./run test`, `check`, `fix`, `bench` and `lock` do."""
