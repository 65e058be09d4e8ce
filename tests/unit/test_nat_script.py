"""The NAT instance's script, run by a real shell with stand-ins for what only an instance has."""

import base64
import subprocess
from pathlib import Path

import pytest

from components.nat_script import PATH, nat_script, user_data
from tests.unit.pulumi_mocks import REGION, deploy

MAC = "0a:1b:2c:3d:4e:5f"
SCRIPT = nat_script(
    interface_id="eni-1",
    mac=MAC,
    address="10.0.0.20",
    region=REGION,
    cidr="10.0.0.0/16",
    gateway="10.0.0.1",
    private_ranges=["10.0.128.0/20", "10.0.144.0/20"],
)
# Each writes its arguments to the log; `aws` makes the interface appear at its second attempt, as when the predecessor still held it.
COMMANDS = {
    "aws": "[ -e {root}/asked ] || {{ touch {root}/asked; exit 254; }}; mkdir -p {root}/net/ens6; echo {mac} > {root}/net/ens6/address",
    "curl": 'case "$*" in *ping*) [ ! -e {root}/offline ];; *instance-id*) echo i-1;; *api/token*) echo token;; esac',
    "ip": "if [ \"$4\" = get ]; then echo '1.1.1.1 via 10.0.0.1 dev ens5 src 10.0.0.10 uid 0'; fi",
    "nft": "cat >> {root}/rules",
    "dnf": "exit 1",
    **dict.fromkeys(("networkctl", "sysctl", "shutdown", "sleep", "systemctl"), ":"),
}


class Instance:
    """A folder in place of an instance's root file system."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "net" / "ens5").mkdir(parents=True)
        (root / "net" / "ens5" / "address").write_text("0a:00:00:00:00:01\n")
        (root / "bin").mkdir()
        for name, body in COMMANDS.items():
            command = root / "bin" / name
            command.write_text(f'#!/bin/bash\necho "{name} $*" >> {root}/log\n' + body.format(root=root, mac=MAC) + "\n")
            command.chmod(0o755)

    def run(self, script: str) -> int:
        """Run a script; returns its exit code."""
        for real, here in (
            ("/sys/class/net", "net"),
            ("/etc/systemd/network/10-inside.network", "unmanaged"),
            ("/etc/systemd/system/", "units-"),
            (PATH, "nat.sh"),
        ):
            script = script.replace(real, f"{self.root}/{here}")
        environment = {"PATH": f"{self.root}/bin:/usr/bin:/bin"}
        return subprocess.run(["bash"], input=script, text=True, env=environment, timeout=60, check=False).returncode

    @property
    def log(self) -> list[str]:
        return (self.root / "log").read_text().splitlines()

    def lines(self, start: str) -> list[int]:
        """Positions in the log of the commands that start like this."""
        return [index for index, line in enumerate(self.log) if line.startswith(start)]


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    return Instance(tmp_path)


def test_the_first_boot_takes_the_interface_and_forwards(instance):
    assert instance.run(SCRIPT) == 0
    assert instance.lines("shutdown") == []
    attach = f"aws ec2 attach-network-interface --region {REGION} --network-interface-id eni-1 --instance-id i-1 --device-index 1"
    assert [line for line in instance.log if line.startswith("aws")] == [attach, attach], "again until the predecessor let go"
    assert "ip address replace 10.0.0.20/32 dev ens6" in instance.log
    assert "ip route replace 10.0.0.0/16 via 10.0.0.1 dev ens6 onlink" in instance.log
    rules = (instance.root / "rules").read_text()
    assert rules.count('{ 10.0.128.0/20, 10.0.144.0/20 } oifname "ens5"') == 2 and "policy drop" in rules


def test_the_system_s_own_network_scripts_never_manage_the_interface(instance):
    """They reload systemd-networkd every minute, which then drops the route that answers take."""
    assert instance.run(SCRIPT) == 0
    assert (instance.root / "unmanaged").read_text() == f"[Match]\nMACAddress={MAC}\n[Link]\nUnmanaged=yes\n"
    assert instance.lines("networkctl reload")[0] < instance.lines("aws")[0], "before the interface appears"


def test_later_runs_repair_without_asking_aws(instance):
    assert instance.run(SCRIPT) == 0
    before = len(instance.log)
    assert instance.run(SCRIPT) == 0
    again = instance.log[before:]
    assert not [line for line in again if line.startswith(("aws", "networkctl", "shutdown"))]
    assert not [line for line in again if "169.254.169.254" in line]
    assert "ip route replace 10.0.0.0/16 via 10.0.0.1 dev ens6 onlink" in again and any(line.startswith("nft") for line in again)


def test_an_instance_without_the_internet_gives_way_to_another(instance):
    (instance.root / "offline").touch()
    instance.run(SCRIPT)
    assert len(instance.lines("curl -s -o /dev/null")) == 10, "not for a hiccup"
    assert len(instance.lines("shutdown -h now")) == 1


def test_an_instance_that_never_gets_the_interface_gives_way_to_another(instance):
    (instance.root / "bin" / "aws").write_text("#!/bin/bash\nexit 254\n")
    instance.run(SCRIPT)
    assert instance.lines("shutdown -h now") and not instance.lines("nft")


def test_user_data_installs_a_timer_that_outlives_the_first_boot(instance):
    assert instance.run(base64.b64decode(user_data("#!/bin/bash\necho ready\n")).decode()) == 0
    assert (instance.root / "nat.sh").read_text() == "#!/bin/bash\necho ready\n"
    assert instance.log == ["systemctl enable --now nat.timer"]
    timer = (instance.root / "units-nat.timer").read_text()
    assert "OnActiveSec=1\nOnUnitInactiveSec=60\n" in timer and "WantedBy=timers.target" in timer
    assert f"ExecStart={instance.root}/nat.sh" in (instance.root / "units-nat.service").read_text()


def test_the_launch_template_carries_it():
    from components.network import Network

    declared = deploy(lambda: Network("net", {"zones": 2, "egress": "nat-instance"}))
    whole = base64.b64decode(declared.one("aws:ec2/launchTemplate:LaunchTemplate").inputs["userData"]).decode()
    script = base64.b64decode(whole.split("<<'SCRIPT'\n")[1].split("\nSCRIPT")[0]).decode()
    interface = declared.one("aws:ec2/networkInterface:NetworkInterface")
    assert f"--network-interface-id {interface.id} " in script
    assert f"ip address replace {interface.outputs['privateIp']}/32" in script
    assert len(whole) < 16 * 1024, "EC2's limit"
