"""What a NAT instance runs every minute: it takes the lasting network interface, forwards, and stops itself when it can't.

One script for the first boot, for every later one and for repairs: each line can run again without harm.
"""

import base64
from collections.abc import Sequence

PATH = "/usr/local/sbin/nat.sh"
SERVICE = f"""[Unit]
Description=Way out of the private subnets
Wants=network-online.target
After=network-online.target
[Service]
Type=oneshot
ExecStart={PATH}
"""
TIMER = """[Unit]
Description=Way out of the private subnets, checked every minute
[Timer]
OnActiveSec=1
OnUnitInactiveSec=60
AccuracySec=1
[Install]
WantedBy=timers.target
"""


def nat_script(*, interface_id: str, mac: str, address: str, region: str, cidr: str, gateway: str, private_ranges: Sequence[str]) -> str:
    """Shell script. `mac` and `address` are the lasting interface's; `gateway` is AWS's router in its subnet; `cidr` is the whole VPC's."""
    sources = ", ".join(private_ranges)
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"""#!/bin/bash
set -euo pipefail
# An instance that can't do its work stops; the Auto Scaling group then starts another.
trap 'shutdown -h now' ERR
# Amazon Linux sets up every interface by itself, and checks that each minute: systemd-networkd then drops the route below, and the tasks'
# answers with it. So this interface is the script's alone, from before it appears.
unmanaged=/etc/systemd/network/10-inside.network
if [ ! -e $unmanaged ]; then
  printf '[Match]\nMACAddress={mac}\n[Link]\nUnmanaged=yes\n' > $unmanaged
  networkctl reload
fi
if ! grep -qi {mac} /sys/class/net/*/address; then
  metadata=http://169.254.169.254/latest
  token=$(curl -sSf --retry 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' $metadata/api/token)
  instance=$(curl -sSf --retry 5 -H "X-aws-ec2-metadata-token: $token" $metadata/meta-data/instance-id)
  # The predecessor may hold the interface for a while yet.
  for attempt in $(seq 60); do
    aws ec2 attach-network-interface --region {region} --network-interface-id {interface_id} \\
      --instance-id "$instance" --device-index 1 || true
    sleep 5
    if grep -qi {mac} /sys/class/net/*/address; then break; fi
  done
fi
inside=$(grep -li {mac} /sys/class/net/*/address | sed 's,/address$,,; s,.*/,,')
outside=$(ip -4 -o route get 1.1.1.1 | grep -o 'dev [^ ]*' | cut -d' ' -f2)
if ! command -v nft >/dev/null; then
  # The smallest instances have half a GiB of memory: dnf is killed without more.
  if [ ! -e /swap ]; then
    dd if=/dev/zero of=/swap bs=1M count=512 status=none
    chmod 600 /swap
    mkswap /swap >/dev/null
    swapon /swap
  fi
  dnf install -y -q nftables
fi
sysctl -q -w net.ipv4.ip_forward=1
ip link set "$inside" up
ip address replace {address}/32 dev "$inside"
# Answers go back through the interface whose source check is off.
ip route replace {cidr} via {gateway} dev "$inside" onlink
nft -f - <<RULES
table ip way_out
delete table ip way_out
table ip way_out {{
  chain forward {{
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    ip saddr {{ {sources} }} oifname "$outside" accept
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    ip saddr {{ {sources} }} oifname "$outside" masquerade
  }}
}}
RULES
# Up but without the internet is no way out: after some minutes of it another instance has its turn. Any answer will do.
for attempt in $(seq 10); do
  if curl -s -o /dev/null --max-time 10 https://ec2.{region}.{domain}/ping; then exit 0; fi
  sleep 20
done
false
"""


def user_data(script: str) -> str:
    """Base64 user data that installs the script and the timer that runs it; user data itself runs at an instance's first boot only."""
    whole = f"""#!/bin/bash
base64 -d > {PATH} <<'SCRIPT'
{base64.b64encode(script.encode()).decode()}
SCRIPT
chmod 700 {PATH}
cat > /etc/systemd/system/nat.service <<'UNIT'
{SERVICE}UNIT
cat > /etc/systemd/system/nat.timer <<'UNIT'
{TIMER}UNIT
systemctl enable --now nat.timer
"""
    return base64.b64encode(whole.encode()).decode()
