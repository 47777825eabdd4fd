/** A socket under test with a real server, a hand-driven clock and a memory of everything it told. */
import {
  ControlSocket,
  type HeartbeatAnswer,
  type SocketListener,
  type SocketOptions,
} from "../../../lib/control/mod.ts";
import { Scope } from "../../../lib/core/mod.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";
import { type Seen, withServer } from "./server.ts";

/** One connection as the server sees it. */
export interface Peer {
  readonly seen: Seen;
  /** Frames received, decoded. */
  readonly frames: { type: string; payload: Record<string, unknown> }[];
  send(frame: unknown): void;
  close(code?: number): void;
}

/** Everything a test may look at or move. */
export interface World {
  readonly socket: ControlSocket;
  readonly clock: FakeClock;
  readonly scope: Scope;
  /** Names of what the listener was told, with its argument: `connected`, `ack r1`, … */
  readonly told: string[];
  readonly acks: HeartbeatAnswer[];
  readonly peers: Peer[];
  /** Upgrade requests so far. */
  readonly seen: Seen[];
  /** Lets real I/O run until `done` holds; the clock stands still. */
  until(done: () => boolean): Promise<void>;
  /** Moves the clock with I/O. */
  pass(ms: number): Promise<void>;
  url: string;
}

export interface WorldOptions {
  /** Answers the upgrade with a status instead; undefined = accept. */
  readonly refuse?: (n: number, seen: Seen) => number | undefined | Promise<number | undefined>;
  /** Called for each frame the server gets. Default: nothing. */
  readonly onFrame?: (peer: Peer, frame: Peer["frames"][number]) => void;
  /** Where the socket dials, given the server's own URL. */
  readonly dial?: (url: string) => string;
  readonly options?: Partial<SocketOptions>;
}

/** Acks every heartbeat, as a baseline server does; `more` goes into the payload. */
export function ackAll(more: Record<string, unknown> = {}) {
  return (peer: Peer, { type, payload }: Peer["frames"][number]) => {
    if (type !== "daemon:heartbeat") return;
    peer.send({
      type: "daemon:heartbeat_ack",
      payload: { runtime_id: payload["runtime_id"], status: "ok", ...more },
    });
  };
}

/** Runs `use` with a socket that has not been opened yet; closes everything afterwards. */
export async function withSocket(setup: WorldOptions, use: (world: World) => Promise<void>): Promise<void> {
  const clock = new FakeClock();
  const scope = new Scope("test");
  const told: string[] = [];
  const acks: HeartbeatAnswer[] = [];
  const peers: Peer[] = [];
  const open = new Set<WebSocket>();
  await withServer(async (seen, n, request) => {
    const status = await setup.refuse?.(n, seen);
    if (status !== undefined) return Response.json({ error: `refused ${status}` }, { status });
    const { socket, response } = Deno.upgradeWebSocket(request);
    open.add(socket);
    socket.onclose = () => open.delete(socket);
    const peer: Peer = {
      seen,
      frames: [],
      send: (frame) => {
        if (socket.readyState === WebSocket.OPEN) {
          socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
        }
      },
      close: (code) => socket.close(code),
    };
    socket.onopen = () => peers.push(peer);
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      peer.frames.push(frame);
      setup.onFrame?.(peer, frame);
    };
    return response;
  }, async (server) => {
    const socket = new ControlSocket({
      baseUrl: setup.dial?.(server.url) ?? server.url,
      token: () => "mul_test",
      version: "9.9.9",
      clock,
      random: () => 0.5,
      heartbeatIntervalMs: 15_000,
      listener: recorder(told, acks),
      scope,
      ...setup.options,
    });
    const until = async (done: () => boolean) => {
      while (!done()) await clock.advance(0, { io: true });
    };
    const pass = (ms: number) => clock.advance(ms, { io: true });
    try {
      await use({ socket, clock, scope, told, acks, peers, seen: server.seen, until, pass, url: server.url });
    } finally {
      await scope.close();
      while (open.size > 0) await clock.advance(0, { io: true });
    }
  });
}

function recorder(told: string[], acks: HeartbeatAnswer[]): SocketListener {
  return {
    connected: (ids) => void told.push(`connected ${ids.join(",")}`),
    disconnected: (reason) => void told.push(`disconnected ${reason}`),
    ack: (answer) => {
      acks.push(answer);
      told.push(`ack ${answer.runtime_id}${answer.runtime_gone ? " gone" : ""}`);
    },
    taskAvailable: (id) => void told.push(`task ${id}`),
    profilesChanged: (id) => void told.push(`profiles ${id}`),
    workspacesChanged: () => void told.push("workspaces"),
    pendingWork: (id, kind) => void told.push(`work ${id} ${kind}`),
    unauthorized: () => void told.push("unauthorized"),
    runtimesRefused: (ids) => void told.push(`refused ${ids.join(",")}`),
  };
}
