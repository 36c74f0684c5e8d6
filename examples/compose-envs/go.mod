module compose-envs

go 1.19
