import { float32, network } from 'node-tensorrt';

const net = network('gathered', { x: float32('batch', 3) });
const all = net.distCollective({ operation: 'all_gather', ranks: 2 }); // what two GPUs have, one behind the other
console.log(all.shape); // [ '2*batch', 3 ]
