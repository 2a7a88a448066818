"""The Excel layer: workbook in, plan out, values written."""
