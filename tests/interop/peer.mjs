// One end of a link with werift instead of aiortc. JSON lines in, JSON lines out:
// in  {"do": "offer"} | {"do": "answer", "sdp": text} | {"do": "accept", "sdp": text} | {"do": "send", "text": text}
// out {"news": "sdp", "sdp": text} | {"news": "open"} | {"news": "message", "channel": name, "data": base64}
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const { RTCPeerConnection } = createRequire(`${process.argv[2]}/`)("werift");
const say = (news) => process.stdout.write(JSON.stringify(news) + "\n");

const connection = new RTCPeerConnection({
  iceServers: [],
  iceUseIpv6: false,
  iceAdditionalHostAddresses: ["127.0.0.1"],
  iceFilterCandidatePair: (pair) => pair.remoteCandidate.host === "127.0.0.1",
});
// As every link: agreed beforehand, by number.
const channels = [
  connection.createDataChannel("control", { negotiated: true, id: 0, ordered: true }),
  connection.createDataChannel("cells", { negotiated: true, id: 1, ordered: false }),
];
let open = 0;
for (const channel of channels) {
  const opened = () => {
    open += 1;
    if (open === channels.length) say({ news: "open" });
  };
  if (channel.readyState === "open") opened();
  else channel.stateChanged.subscribe((state) => state === "open" && opened());
  channel.onMessage.subscribe((data) =>
    say({ news: "message", channel: channel.label, data: Buffer.from(data).toString("base64") }),
  );
}

// All candidates in the one description: there is no trickle.
const gathered = async () => {
  while (connection.iceGatheringState !== "complete") await new Promise((done) => setTimeout(done, 5));
  say({ news: "sdp", sdp: connection.localDescription.sdp });
};

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  if (order.do === "offer") {
    await connection.setLocalDescription(await connection.createOffer());
    await gathered();
  } else if (order.do === "answer") {
    await connection.setRemoteDescription({ type: "offer", sdp: order.sdp });
    await connection.setLocalDescription(await connection.createAnswer());
    await gathered();
  } else if (order.do === "accept") {
    await connection.setRemoteDescription({ type: "answer", sdp: order.sdp });
  } else if (order.do === "send") {
    for (const channel of channels) channel.send(Buffer.from(order.data, "base64"));
  }
}
await connection.close();
process.exit(0);
