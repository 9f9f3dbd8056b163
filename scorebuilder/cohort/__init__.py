"""What the columns mean: schema, load, validate, attrition, impute, encode, describe."""
