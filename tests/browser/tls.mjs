/**
 * The demo under names of the wide world: TLS with a certificate made for the occasion. It does what an operator's
 * proxy and `allowed_origins` do: the demo sees its own name, and Salesforce's origin may frame the connector page.
 */

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";

function certificate(hosts) {
  const folder = mkdtempSync(join(tmpdir(), "byoc-browser-"));
  try {
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const names = hosts.map((host) => `DNS:${host}`).join(",");
    execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
        ...["-subj", "/CN=byoc-connector test", "-addext", `subjectAltName=${names}`, "-keyout", key, "-out", cert],
      ],
      { stdio: ["ignore", "ignore", "pipe"], timeout: 20_000 },
    );
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Listens until it is closed; `framedBy` are the hosts whose pages may frame what comes through here. */
export async function proxy(target, hosts, framedBy) {
  const server = createServer(certificate(hosts), (incoming, outgoing) => {
    const headers = { ...incoming.headers, host: new URL(target).host };
    if (headers.origin) headers.origin = target;
    const passed = request(target + incoming.url, { method: incoming.method, headers }, (answer) => {
      const policy = answer.headers["content-security-policy"];
      if (policy) {
        const { port } = server.address();
        const origins = framedBy.map((host) => `https://${host}:${port}`).join(" ");
        answer.headers["content-security-policy"] = policy.replace("frame-ancestors 'self'", `$& ${origins}`);
      }
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on("error", () => outgoing.destroy());
    outgoing.on("close", () => passed.destroy());
    incoming.pipe(passed);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    at: (host) => `https://${host}:${server.address().port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
