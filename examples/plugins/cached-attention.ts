import { definePlugin, type Tensor, where } from 'node-tensorrt';

/**
 * The attention of one step of a decoder. query, key and value [batch, heads, size] are those of the new token; keys and values
 * [batch, heads, capacity, size] are the cache; position [batch] is how many tokens it has. The new key and value are written into the cache, in
 * place: `keysOut` and `valuesOut` are the inputs' own memory. y is the attention to all tokens up to the new one. Where the position
 * is outside the cache, nothing is written, and y is NaN.
 */
export const cachedAttention = definePlugin({
  name: 'CachedAttention',
  version: '1',
  inputs: ['query', 'key', 'value', 'keys', 'values', 'position'],
  ranks: { query: 3, key: 3, value: 3, keys: 4, values: 4, position: 1 },
  types: (['float32', 'float16'] as const).map((t) => ({
    ...{ query: t, key: t, value: t, keys: t, values: t, position: 'int32' as const },
    ...{ y: t, keysOut: t, valuesOut: t },
  })),
  outputs: ({ query, keys, values }) => ({ y: query.shape, keysOut: keys.shape, valuesOut: values.shape }),
  aliases: { keysOut: 'keys', valuesOut: 'values' },
  cuda: new URL('./cached-attention.cu', import.meta.url),
  launch({ query, key, value, position, keysOut, valuesOut, y, int32, add, mul }) {
    const [batch, heads, capacity, size] = keysOut.shape;
    return [
      {
        kernel: 'cachedAttention',
        template: [query.dtype, 128],
        grid: mul(batch, heads),
        block: 128,
        sharedMemory: mul(add(capacity, size), 4),
        args: [query, key, value, position, keysOut, valuesOut, y, int32(heads), int32(capacity), int32(size)],
      },
    ];
  },
  reference({ query, key, value, keys, values, position }) {
    const [batch, heads, capacity, size] = keys.shape as [number, number, number, number];
    const [q, k, v] = [query, key, value].map(({ data }) => data as Float32Array);
    const [keysOut, valuesOut] = [keys, values].map(({ data }) => Float32Array.from(data as Float32Array));
    const y = new Float32Array(q!.length);
    for (let head = 0; head < batch * heads; head++) {
      const last = Number(position.data[Math.floor(head / heads)]);
      const own = (data: Float32Array) => data.subarray(head * size, (head + 1) * size);
      const row = (data: Float32Array, i: number) =>
        data.subarray((head * capacity + i) * size, (head * capacity + i + 1) * size);
      if (last < 0 || last >= capacity) {
        own(y).fill(Number.NaN);
        continue;
      }
      row(keysOut!, last).set(own(k!));
      row(valuesOut!, last).set(own(v!));
      const scores = Array.from({ length: last + 1 }, (_, i) => {
        const other = row(keysOut!, i);
        return own(q!).reduce((sum, value, j) => sum + value * other[j]!, 0) / Math.sqrt(size);
      });
      const largest = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - largest));
      const total = weights.reduce((a, b) => a + b);
      for (let j = 0; j < size; j++) {
        own(y)[j] = weights.reduce((sum, weight, i) => sum + weight * row(valuesOut!, i)[j]!, 0) / total;
      }
    }
    return { y, keysOut: keysOut!, valuesOut: valuesOut! };
  },
  decompose({ query, key, value, keys, values, position }) {
    const rows = query.network.arange(keys.dim(2));
    const at = position.unsqueeze(1);
    const isNew = rows.eq(at).unsqueeze([1, 3]);
    const update = (cache: Tensor, one: Tensor) => where(isNew, one.unsqueeze(2), cache);
    const [keysOut, valuesOut] = [update(keys, key), update(values, value)];
    const [capacity, size] = query.network.dims([keys.dim(2), keys.dim(3)]).unbind() as [Tensor, Tensor];
    const isHidden = rows.gt(at).unsqueeze([1, 2]);
    const isOutside = at
      .lt(0)
      .logicalOr(at.ge(capacity.cast('int32')))
      .unsqueeze(2);
    const scaled = query.unsqueeze(2).cast('float32').mul(size.cast('float32').rsqrt());
    const scores = scaled.matmul(keysOut.cast('float32'), { transposeB: true });
    const weights = scores.maskedFill(isHidden, Number.NEGATIVE_INFINITY).softmax({ axis: -1 });
    const mean = weights.matmul(valuesOut.cast('float32')).squeeze(2);
    const y = mean.maskedFill(isOutside, Number.NaN).cast(query.dtype);
    return { y, keysOut, valuesOut };
  },
});
