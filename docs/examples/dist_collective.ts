import { float32, network } from 'node-tensorrt';

const net = network('gathered', { x: float32('batch', 3) });
const all = net.distCollective({ operation: 'all_gather', ranks: 2 }); // the tensors of two GPUs, one after the other
console.log(all.shape); // [ '2*batch', 3 ]
