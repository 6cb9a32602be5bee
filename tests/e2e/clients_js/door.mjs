// Opens web01's port 22 for SOURCE by Azure's client for JavaScript, and waits until the request is Initiated. Prints the
// mapped port.

import assert from "node:assert/strict";
import { SecurityCenter } from "@azure/arm-security";

const { ENDPOINT, TOKEN, SUBSCRIPTION, SOURCE } = process.env;
const credential = { getToken: async () => ({ token: TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 }) };
const jit = new SecurityCenter(credential, SUBSCRIPTION, { endpoint: ENDPOINT }).jitNetworkAccessPolicies;
const id = `/subscriptions/${SUBSCRIPTION}/resourceGroups/lab/providers/Microsoft.Compute/virtualMachines/web01`;
const port = { number: 22, endTimeUtc: new Date(Date.now() + 3_600_000), allowedSourceAddressPrefix: SOURCE };
const answer = await jit.initiate("lab", "westeurope", "default", { virtualMachines: [{ id, ports: [port] }] });
const { requests } = await jit.get("lab", "westeurope", "default");
assert.equal(requests[0].virtualMachines[0].ports[0].status, "Initiated");
console.log(answer.virtualMachines[0].ports[0].mappedPort);
