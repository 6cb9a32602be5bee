// All that Azure's client for JavaScript can do with just-in-time access, against ENDPOINT; PROXY answers 503 once
// after it has handed on a POST. Prints a line for each thing that works.

import assert from "node:assert/strict";
import { SecurityCenter } from "@azure/arm-security";

const { ENDPOINT, PROXY, TOKEN, OTHER_TOKEN, SUBSCRIPTION } = process.env;
const group = "lab";
const location = "westeurope";
const machine = (name) =>
    `/subscriptions/${SUBSCRIPTION}/resourceGroups/${group}/providers/Microsoft.Compute/virtualMachines/${name}`;
const client = (endpoint, token = TOKEN) => {
    const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
    return new SecurityCenter(credential, SUBSCRIPTION, { endpoint }).jitNetworkAccessPolicies;
};
const jit = client(ENDPOINT);

const all = async (pages) => {
    const items = [];
    for await (const item of pages) items.push(item);
    return items;
};
const works = (what) => console.log(`ok ${what}`);
const fails = async (what, promise, statusCode, code) => {
    await assert.rejects(promise, (error) => {
        assert.equal(error.statusCode, statusCode);
        assert.equal(error.code, code);
        return true;
    });
    works(what);
};

const port = { number: 22, protocol: "TCP", allowedSourceAddressPrefix: "*", maxRequestAccessDuration: "PT3H" };
const policy = { kind: "Basic", virtualMachines: [{ id: machine("app01"), ports: [port] }], requests: [] };

const put = await jit.createOrUpdate(group, location, "extra", policy);
assert.equal(put.provisioningState, "Updating");
assert.deepEqual(put.requests, []);
assert.equal((await jit.get(group, location, "extra")).provisioningState, "Succeeded");
works("createOrUpdate and get");

for (const [name, pages] of Object.entries({
    list: jit.list(),
    listByRegion: jit.listByRegion(location),
    listByResourceGroup: jit.listByResourceGroup(group),
    listByResourceGroupAndRegion: jit.listByResourceGroupAndRegion(group, location),
})) {
    assert.deepEqual((await all(pages)).map((one) => one.name), ["default", "extra"]);
    works(name);
}

const initiate = (from, number = 22) =>
    from.initiate(group, location, "default", {
        virtualMachines: [{ id: machine("web01"), ports: [{ number, endTimeUtc: new Date(Date.now() + 3_600_000) }] }],
        justification: "patching",
    });
const requests = async () => (await jit.get(group, location, "default")).requests;

const answer = await initiate(jit);
assert.equal(answer.requestor, "admin@lab.example");
assert.equal(answer.justification, "patching");
assert.ok(answer.startTimeUtc instanceof Date);
assert.equal(answer.virtualMachines[0].ports[0].status, "Initiating");
assert.equal(answer.virtualMachines[0].ports[0].mappedPort, 50022);
const opened = await requests();
assert.equal(opened.length, 1);
assert.equal(opened[0].virtualMachines[0].ports[0].status, "Initiated");
works("initiate");

await initiate(client(PROXY));
assert.equal((await requests()).length, 2);
works("a POST that is repeated after 503 opens one window only");

await fails("403", client(ENDPOINT, OTHER_TOKEN).get(group, location, "default"), 403, "AuthorizationFailed");
await fails("401", client(ENDPOINT, "nobody's").get(group, location, "default"), 401, "InvalidAuthenticationToken");
await fails("404 of a policy", jit.get(group, location, "nope"), 404, "PolicyNotFound");
await fails("404 of a group", jit.get("elsewhere", location, "default"), 404, "ResourceGroupNotFound");
await fails("400 of a port", initiate(jit, 23), 400, "RequestNotSubsetOfPolicy");

await jit.delete(group, location, "extra");
await jit.delete(group, location, "extra");
works("delete, also of what is not there");

for (let number = 0; number < 120; ++number) {
    await jit.createOrUpdate(group, location, `p${1000 + number}`, { virtualMachines: [] });
}
assert.equal((await all(jit.list())).length, 121);
works("121 policies in two pages");
for (let number = 0; number < 120; ++number) await jit.delete(group, location, `p${1000 + number}`);
