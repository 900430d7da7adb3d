from tidings.base.settings import Settings
from tidings.db.pools import analytics_pool, primary_pool


def make(**changes: object) -> Settings:
    return Settings(_env_file=None, **changes)


def test_the_pools_are_of_the_sizes_set() -> None:
    settings = make(pool_primary_min=3, pool_primary_max=7, pool_analytics_min=1)
    primary = primary_pool(settings, "postgresql://app@nowhere/x")
    analytics = analytics_pool(settings, "postgresql://app@nowhere/x")
    assert (primary.name, primary.min_size, primary.max_size) == ("primary", 3, 7)
    assert (analytics.name, analytics.min_size, analytics.max_size) == ("analytics", 1, 10)
    assert primary.timeout == settings.pool_timeout
    assert primary.max_lifetime == settings.pool_lifetime


def test_the_least_is_never_more_than_the_most() -> None:
    assert primary_pool(make(pool_primary_min=9, pool_primary_max=4), "").min_size == 4


def test_prepared_statements_can_be_switched_off() -> None:
    assert primary_pool(make(), "").kwargs["prepare_threshold"] == 5
    assert primary_pool(make(database_prepare=False), "").kwargs["prepare_threshold"] is None


def test_a_pool_makes_nothing_before_it_is_opened() -> None:
    assert primary_pool(make(), "postgresql://app@nowhere/x").closed


def test_a_peer_that_says_nothing_is_given_up() -> None:
    pool = primary_pool(Settings(_env_file=None), "postgresql://tidings_app@db/tidings")  # type: ignore[call-arg]
    assert pool.kwargs["keepalives"] == 1
    assert 0 < pool.kwargs["tcp_user_timeout"] <= 60_000
