// What a page can try against a server on this machine. Each attack resolves to what the page learned: the text
// that it could read, or "" when it could read nothing.

const CALL = "/api/v1.1/profiles/import";
const READ = "/api/v1.1/databases/get";
const BODY = '{"db_id":1,"email":"page@example.com"}';
const XML = "<xml><db_id>1</db_id><email>page@example.com</email></xml>";

const read = async (promise) => {
  try {
    return await (await promise).text();
  } catch (_) {
    return "";
  }
};

const form = (target, enctype, method = "post") =>
  new Promise((resolve) => {
    const frame = document.createElement("iframe");
    frame.name = "frame" + Math.random();
    const made = document.createElement("form");
    made.action = target;
    made.method = method;
    made.enctype = enctype;
    made.target = frame.name;
    const input = document.createElement("input");
    // As text/plain this is a JSON body: {"db_id":1,"x":"=y"}
    input.name = '{"db_id":1,"x":"';
    input.value = 'y"}';
    made.append(input);
    document.body.append(frame, made);
    frame.onload = () => {
      let seen = "";
      try {
        seen = frame.contentDocument.body.innerText;
      } catch (_) {}
      if (frame.contentWindow.location !== "about:blank") resolve(seen);
    };
    setTimeout(() => resolve(""), 2000);
    made.submit();
  });

const xhr = (target, body, headers = {}, method = "POST") =>
  new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open(method, target);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.onloadend = () => resolve(request.responseText || "");
    request.send(body);
  });

const element = (tag, attributes) =>
  new Promise((resolve) => {
    const made = document.createElement(tag);
    // A script that ran or an image that has a size tells the page something.
    made.onload = () => resolve(tag === "iframe" ? framed(made) : tag === "img" ? `${made.width}` : "loaded");
    made.onerror = () => resolve("");
    Object.assign(made, attributes);
    document.body.append(made);
    setTimeout(() => resolve(""), 2000);
  });

const framed = (frame) => {
  try {
    return frame.contentDocument.body.innerText;
  } catch (_) {
    return "";
  }
};

const eventSource = (target) =>
  new Promise((resolve) => {
    const source = new EventSource(target);
    source.onmessage = (event) => resolve(event.data);
    source.onerror = () => (source.close(), resolve(""));
  });

const webSocket = (target) =>
  new Promise((resolve) => {
    const socket = new WebSocket(target.replace("http", "ws"));
    socket.onopen = () => (socket.send(BODY), resolve("open"));
    socket.onmessage = (event) => resolve(event.data);
    socket.onerror = () => resolve("");
  });

const post = (target, more) => read(fetch(target, { method: "POST", body: BODY, ...more }));
const worker = (target) =>
  new Promise((resolve) => {
    const source = `fetch("${target}", {method: "POST", mode: "no-cors", body: '${BODY}'})
      .then((reply) => reply.text(), () => "").then(postMessage)`;
    new Worker(URL.createObjectURL(new Blob([source]))).onmessage = (event) => resolve(event.data);
  });

window.ATTACKS = {
  "form, urlencoded": (to) => form(to + CALL, "application/x-www-form-urlencoded"),
  "form, multipart": (to) => form(to + CALL, "multipart/form-data"),
  "form, text/plain": (to) => form(to + CALL, "text/plain"),
  "form, GET": (to) => form(to + READ, "", "get"),
  "form at reload": (to) => form(to + "/-/reload", "text/plain"),
  "form at purge": (to) => form(to + "/-/cache/purge", "text/plain"),
  "fetch, no-cors, text": (to) => post(to + CALL, { mode: "no-cors" }),
  "fetch, no-cors, form": (to) =>
    post(to + CALL, { mode: "no-cors", headers: { "Content-Type": "application/x-www-form-urlencoded" } }),
  "fetch, no-cors, kept alive": (to) => post(to + CALL, { mode: "no-cors", keepalive: true }),
  "fetch, no-cors, with credentials": (to) => post(to + CALL, { mode: "no-cors", credentials: "include" }),
  "fetch, typeless Blob": (to) => post(to + CALL, { mode: "no-cors", body: new Blob([BODY]) }),
  "fetch, typeless XML": (to) => post(to + CALL, { mode: "no-cors", body: new Blob([XML]) }),
  "fetch, no referrer": (to) => post(to + CALL, { mode: "no-cors", referrerPolicy: "no-referrer" }),
  "fetch, preflighted JSON": (to) => post(to + CALL, { headers: { "Content-Type": "application/json" } }),
  "fetch, preflighted XML": (to) =>
    post(to + CALL, { body: XML, headers: { "Content-Type": "application/xml" } }),
  "fetch, QUERY": (to) => post(to + READ, { method: "QUERY", headers: { "Content-Type": "application/json" } }),
  "fetch, GET of a call": (to) => read(fetch(to + READ)),
  "fetch of metrics": (to) => read(fetch(to + "/metrics")),
  "fetch of metrics, no-cors": (to) => read(fetch(to + "/metrics", { mode: "no-cors" })),
  "fetch of the status": (to) => read(fetch(to + "/-/status.json")),
  "fetch of readiness": (to) => read(fetch(to + "/readyz?verbose")),
  "fetch of a download": (to) => read(fetch(to + "/api/download/data/1")),
  "fetch at purge": (to) => post(to + "/-/cache/purge", { mode: "no-cors", body: '{"all": true}' }),
  "fetch at reload": (to) => post(to + "/-/reload", { mode: "no-cors" }),
  "fetch at explain": (to) => post(to + "/-/explain/profiles/import", { mode: "no-cors" }),
  "fetch from a worker": (to) => worker(to + CALL),
  "XHR, text": (to) => xhr(to + CALL, BODY),
  "XHR, JSON": (to) => xhr(to + CALL, BODY, { "Content-Type": "application/json" }),
  "XHR, GET of the status": (to) => xhr(to + "/-/status.json", null, {}, "GET"),
  "sendBeacon, text": (to) => (navigator.sendBeacon(to + CALL, BODY), ""),
  "sendBeacon, typeless Blob": (to) => (navigator.sendBeacon(to + CALL, new Blob([BODY])), ""),
  "sendBeacon, JSON": (to) => (
    navigator.sendBeacon(to + CALL, new Blob([BODY], { type: "application/json" })), ""
  ),
  EventSource: (to) => eventSource(to + "/metrics"),
  WebSocket: (to) => webSocket(to + CALL),
  "image": (to) => element("img", { src: to + "/-/static/icon.svg" }),
  "image of a call": (to) => element("img", { src: to + READ }),
  "script of the status": (to) => element("script", { src: to + "/-/status.json" }),
  "script of the page": (to) => element("script", { src: to + "/-/static/page.js" }),
  "style sheet": (to) => element("link", { rel: "stylesheet", href: to + "/-/static/page.css" }),
  "frame with the status page": (to) => element("iframe", { src: to + "/-/" }),
  "frame with metrics": (to) => element("iframe", { src: to + "/metrics" }),
};
