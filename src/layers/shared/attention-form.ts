/** TensorRT's AttentionIOForm: [batch, heads, tokens, size], or all batches in one, [tokens, heads, size]. */
export const attentionForms = ['padded_bhnd', 'packed_nhd'] as const;
export type AttentionForm = (typeof attentionForms)[number];
