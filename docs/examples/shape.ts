import { float32, network } from 'node-tensorrt';

const net = network('shape', { x: float32('batch', 'length', 2) });
const x = net.tensor();
const rows = x.reshape([x.dim(0).mul(x.dim(1)), 2]).output('rows'); // dims to compute with
console.log(rows.shape); // [ 'batch*length', 2 ]
x.shapeTensor().output('sizes'); // the same at run time

using model = await net.compile({ backend: 'cpu' });
const result = await model.run({ x: { dtype: 'float32', shape: [3, 2, 2], data: new Float32Array(12) } });
console.log(result.rows.shape, result.sizes.dtype, result.sizes.data.join(' ')); // [ 6, 2 ] int64 3 2 2
