"""Which addresses count as public."""

import pytest

from loresmith.webhooks.addresses import is_public

PRIVATE = """
127.0.0.1 127.8.8.8 0.0.0.0 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 100.100.100.200
192.0.0.8 192.0.0.192 192.0.2.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250 233.252.0.1 240.0.0.1
255.255.255.255 168.63.129.16 192.88.99.1
:: ::1 ::127.0.0.1 ::8.8.8.8 fe80::1 fe80::1%eth0 fec0::1 fc00::1 fd00:ec2::254 ff02::1 ff0e::1 2001:db8::1 3fff::1
::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1
2002:7f00:1:: 2002:a00:1:: 2002:a9fe:a9fe:: 2001:0:7f00:1:: 2001:2::1 2001:10::1 100::1
64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::10.0.0.1 5f00::1 4000::1
"""
PUBLIC = """
8.8.8.8 1.1.1.1 93.184.215.14 100.63.255.255 100.128.0.1 172.32.0.1 192.167.255.255
2606:4700:4700::1111 2a00:1450:4001:80f::200e ::ffff:8.8.8.8 64:ff9b::8.8.8.8
"""


@pytest.mark.parametrize("address", PRIVATE.split())
def test_private_and_special_addresses_are_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC.split())
def test_addresses_of_the_internet_are_allowed(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "0x7f.0.0.1", "2130706433", "1.2.3.4:80", "[::1]"])
def test_what_is_no_address_is_not_public(text: str) -> None:
    assert not is_public(text)
