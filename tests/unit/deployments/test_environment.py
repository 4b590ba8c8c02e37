from deployments.environment import of_replica


def test_a_replica_keeps_freed_memory_and_carries_large_photos() -> None:
    variables = of_replica({})["env_vars"]
    assert int(variables["MALLOC_TRIM_THRESHOLD_"]) > 100_000_000
    assert int(variables["RAY_SERVE_REPLICA_GRPC_MAX_MESSAGE_LENGTH"]) == 64 << 20


def test_what_the_application_sets_counts_and_the_rest_of_it_stays() -> None:
    application = {"working_dir": "/srv", "env_vars": {"MALLOC_ARENA_MAX": "1", "AWS_REGION": "x"}}
    made = of_replica(application)
    assert made["working_dir"] == "/srv"
    assert made["env_vars"]["MALLOC_ARENA_MAX"] == "1"
    assert made["env_vars"]["AWS_REGION"] == "x"
    assert made["env_vars"]["RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD"] == "0"
    assert application["env_vars"] == {"MALLOC_ARENA_MAX": "1", "AWS_REGION": "x"}
