/** TensorRT's AttentionIOForm: [batch, heads, tokens, size], or all batches packed together, [tokens, heads, size]. */
export const attentionForms = ['padded_bhnd', 'packed_nhd'] as const;
/** How queries, keys and values lie in memory. @useDeclaredType */
export type AttentionForm = (typeof attentionForms)[number];

export const rankOf = (form: AttentionForm): number => (form === 'padded_bhnd' ? 4 : 3);
