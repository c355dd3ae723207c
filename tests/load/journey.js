// Load test (M4): visitors that open the site, load the animation's assets, and call the API, as many at a time as the
// environment must carry: 10,000 in production, 1,000 in staging.
//
//   k6 run -e BASE=https://staging.candlefish.ai -e API=https://api.staging.candlefish.ai -e USERS=1000 tests/load/journey.js
//
// 10,000 need more than one machine: k6 Cloud or the k6 operator (docs/observability.md). Exit code 99: an objective was
// missed.
import http from "k6/http";
import ws from "k6/ws";
import { check, group, sleep } from "k6";
import { Rate, Trend } from "k6/metrics";

const BASE = __ENV.BASE;
const API = __ENV.API;
const USERS = Number(__ENV.USERS || 1000);
const MINUTES = Number(__ENV.MINUTES || 10);
if (!BASE || !API) throw new Error("give BASE and API: -e BASE=https://… -e API=https://…");

const failed = new Rate("candlefish_failed");
const apiTime = new Trend("candlefish_api_ms", true);

export const options = {
  scenarios: {
    visitors: {
      executor: "ramping-vus",
      startVUs: 0,
      stages: [
        { duration: "3m", target: USERS },
        { duration: `${MINUTES}m`, target: USERS },
        { duration: "1m", target: 0 },
      ],
      gracefulRampDown: "30s",
    },
    connections: {
      executor: "constant-vus",
      exec: "stream",
      vus: Math.max(1, Math.round(USERS / 20)),
      duration: `${MINUTES}m`,
      startTime: "3m",
    },
  },
  // The objectives; the same figures as infra/plans/observability/objectives.py, which a test compares.
  thresholds: {
    candlefish_failed: ["rate<0.001"],
    http_req_duration: ["p(95)<2000"],
    candlefish_api_ms: ["p(95)<100"],
  },
};

export default function () {
  group("page", () => {
    const page = http.get(BASE, { tags: { kind: "page" } });
    failed.add(!check(page, { "page is 200": (answer) => answer.status === 200 }));
  });
  sleep(1 + Math.random() * 4);
  group("api", () => {
    const health = http.get(`${API}/health`, { tags: { kind: "api" } });
    apiTime.add(health.timings.duration);
    failed.add(!check(health, { "api is 200": (answer) => answer.status === 200 }));
  });
  group("events", () => {
    const event = {
      id: uuid(), type: "frame", timestamp: new Date().toISOString(), fps: 55 + Math.random() * 5, frames: 300,
      frameDrops: Math.floor(Math.random() * 3), memoryMb: 20 + Math.random() * 10, renderTimeMs: 17,
    };
    const sent = http.post(`${BASE}/api/analytics`, JSON.stringify({ events: [event] }), {
      headers: { "Content-Type": "application/json" }, tags: { kind: "events" },
    });
    failed.add(!check(sent, { "event is taken": (answer) => answer.status >= 200 && answer.status < 300 }));
  });
  sleep(5 + Math.random() * 10);
}

function uuid() {
  return "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx".replace(/x/g, () => Math.floor(Math.random() * 16).toString(16));
}

export function stream() {
  const answer = ws.connect(`${BASE.replace("https", "wss")}/ws`, {}, (socket) => {
    socket.on("open", () => socket.setInterval(() => socket.send(JSON.stringify({ action: "ping" })), 30000));
    socket.setTimeout(() => socket.close(), 60000 + Math.random() * 60000);
  });
  failed.add(!check(answer, { "connection is upgraded": (made) => made && made.status === 101 }));
}
