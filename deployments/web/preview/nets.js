// The nets, run by ONNX Runtime's WebAssembly in this worker, in one thread.

const NAMES = ["pnet", "rnet", "onet", "facemesh", "iris", "selfie", "u2netp"];

/**
 * The nets by name: functions from values and their shape to a list of tensors, in the order of
 * the net's outputs. `base` is the folder of the assets.
 */
export async function load(base) {
  const ort = await import(`${base}ort.mjs`);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = { wasm: `${base}ort.wasm` };
  const options = { executionProviders: ["wasm"], graphOptimizationLevel: "all" };
  const bytes = await Promise.all(NAMES.map((name) => read(`${base}${name}.onnx`)));
  const nets = {};
  for (const [at, name] of NAMES.entries()) {
    const session = await ort.InferenceSession.create(bytes[at], options);
    const [input] = session.inputNames;
    nets[name] = async (values, dims) => {
      const answer = await session.run({ [input]: new ort.Tensor("float32", values, dims) });
      return session.outputNames.map((output) => answer[output]);
    };
  }
  return nets;
}

async function read(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}
