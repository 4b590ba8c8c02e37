"""Ports of the Gateways where several services run on one machine."""

from cli.own_ray import ports


def test_two_services_have_different_ports() -> None:
    with ports() as first, ports() as second:
        assert len(first) >= 16 and len(second) >= 16
        assert not set(first) & set(second)


def test_what_one_had_another_may_have_afterwards() -> None:
    with ports() as first:
        pass
    with ports() as second:
        assert first == second
