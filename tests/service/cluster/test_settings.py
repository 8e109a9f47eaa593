"""Settings of a cluster are refused, not ignored, where they cannot hold."""

import pytest

from service import certificate
from service.cluster.__main__ import main
from service.cluster.settings import split_environ
from service.settings import SettingsError


def test_settings_of_the_cluster_are_told_from_those_of_the_service():
    cluster, rest = split_environ({"VITRINE_CLUSTER_FRONTS": "3", "VITRINE_PORT": "8001"})

    assert cluster.fronts == 3
    assert rest == {"VITRINE_PORT": "8001"}


@pytest.mark.parametrize("name", ["VITRINE_CLUSTER_FRONTS", "VITRINE_CLUSTER_FRONT"])
def test_an_unusable_setting_is_named(name):
    with pytest.raises(SettingsError, match=name):
        split_environ({name: "none"})


def test_a_certificate_is_refused_because_the_proxy_is_rays(monkeypatch, tmp_path, capsys):
    certificate.write(tmp_path, ["localhost"])
    monkeypatch.setenv("VITRINE_TLS_CERT", str(tmp_path / "cert.pem"))
    monkeypatch.setenv("VITRINE_TLS_KEY", str(tmp_path / "key.pem"))

    assert main([]) == 2
    assert "VITRINE_TLS_CERT must be unset" in capsys.readouterr().err
