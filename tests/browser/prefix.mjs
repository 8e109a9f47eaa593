/** A reverse proxy that serves a service below a path, as nginx's `location /vitrine/ { proxy_pass …/; }` does. */

import http from "node:http";

/** Everything below `prefix` goes to `base` without it; everything else is 404. */
export async function serveBelow(prefix, base) {
  const server = http.createServer((request, response) => {
    if (!request.url.startsWith(prefix)) return response.writeHead(404).end();
    const url = new URL(request.url.slice(prefix.length), base);
    const forwarded = http.request(url, { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    forwarded.on("error", () => response.destroy());
    response.on("close", () => forwarded.destroy());
    return request.pipe(forwarded);
  });
  await new Promise((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  return { address: `http://127.0.0.1:${server.address().port}${prefix}`, close: () => { server.closeAllConnections(); server.close(); } };
}
