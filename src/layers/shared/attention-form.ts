/** TensorRT's AttentionIOForm: [batch, heads, tokens, size], or all batches packed together, [tokens, heads, size]. */
export const attentionForms = ['padded_bhnd', 'packed_nhd'] as const;
export type AttentionForm = (typeof attentionForms)[number];
