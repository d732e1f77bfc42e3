// The process behind bucket.mjs.
const { SmartStorage } = require("../../dist/index.js");

const [directory, delayMs] = process.argv.slice(2);
const PUTS = ["PutObject", "UploadPart", "CreateMultipartUpload", "CompleteMultipartUpload"];

SmartStorage.createAndStart({
  server: { port: 0, address: "127.0.0.1", silent: true },
  storage: { directory },
  buckets: ["bench"],
}).then(async (storage) => {
  if (Number(delayMs) > 0) storage.faults.add({ delayMs: Number(delayMs) });
  process.on("message", (what) => {
    if (what === "clear") {
      storage.requests.clear();
      return process.send({});
    }
    const all = storage.requests.filter(() => true);
    const sum = (name) => all.reduce((bytes, request) => bytes + request[name], 0);
    const puts = all.filter(({ operation }) => PUTS.includes(operation)).length;
    return process.send({ requests: all.length, puts, bytesIn: sum("bytesIn"), bytesOut: sum("bytesOut") });
  });
  process.send({ port: (await storage.getStorageDescriptor()).port });
});
