// Follows a run through the feed of the app (see playground/ui/feed.py and playground/displays/frames.py).

const FIRST_WAIT = 500, LONGEST_WAIT = 10_000; // milliseconds between two attempts, doubled each time
const UNKNOWN = 4404; // the code with which the server says that there is no such run

// subscribe(url, { onFrame(header, payloads), onState("open" | "closed") }) → { close() }
//
// url: as ui.feed.url gives it, or a function that gives the newest one, whose token is good for longer.
// payloads: one Uint8Array a picture, in the order of header.pictures. The socket reconnects by itself; every first
// frame of a socket is a whole one. A hidden page lets go of it, and follows again when it is shown.
export function subscribe(url, { onFrame, onState = () => {} }) {
  const feed = { socket: null, timer: 0, wait: FIRST_WAIT, isOver: false };

  const connect = () => {
    clearTimeout(feed.timer);
    if (feed.isOver || feed.socket || document.hidden) return;
    const address = new URL(typeof url === "function" ? url() : url, document.baseURI);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = (feed.socket = new WebSocket(address));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => onState("open");
    socket.onmessage = ({ data }) => {
      feed.wait = FIRST_WAIT;
      const { header, payloads } = unpack(new Uint8Array(data));
      onFrame(header, payloads);
    };
    socket.onclose = ({ code }) => {
      if (feed.socket !== socket) return; // it was let go of
      feed.socket = null;
      feed.isOver ||= code === UNKNOWN;
      onState("closed");
      feed.timer = setTimeout(connect, feed.wait * (0.75 + Math.random() / 2)); // not all viewers at once
      feed.wait = Math.min(2 * feed.wait, LONGEST_WAIT);
    };
  };

  const letGo = () => {
    clearTimeout(feed.timer);
    const { socket } = feed;
    feed.socket = null;
    socket?.close();
  };

  const onVisibility = () => (document.hidden ? letGo() : connect());

  document.addEventListener("visibilitychange", onVisibility);
  connect();
  return {
    close() {
      feed.isOver = true;
      document.removeEventListener("visibilitychange", onVisibility);
      letGo();
    },
  };
}

// A frame's header, and a view of each payload.
export function unpack(bytes) {
  // The bytes may begin at an odd offset of a larger buffer: DataView reads there, typed arrays would not.
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let at = 4 + length;
  const payloads = header.pictures.map((picture) => bytes.subarray(at, (at += picture.bytes)));
  return { header, payloads };
}
