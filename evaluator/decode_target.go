package evaluator

// audienceArgument reads the key of an audience, or {"audience": key, "tenant": tenant}.
func (d *decoder) audienceArgument(path string, v Value) Argument {
	ref := &Reference{At: path}
	key := v
	if v.Kind() == KindObject {
		d.only(path, v, "a question about an audience", "audience", "tenant")
		ref.At = keyPath(path, "audience")
		key, _ = v.Member("audience")
		ref.Tenant = d.tenant(keyPath(path, "tenant"), v)
	}
	if key.Kind() != KindString || !IsKey(key.Text()) {
		d.fault(ref.At, `this is the key of an audience, or {"audience": key, "tenant": tenant}; %s`, keyHint)
	}
	ref.Audience = key.Text()
	return Argument{Kind: ArgumentAudience, Reference: ref}
}

func (d *decoder) tenant(path string, v Value) string {
	tenant, _ := v.Member("tenant")
	if !tenant.IsNull() && (tenant.Kind() != KindString || tenant.Text() == "") {
		d.fault(path, "a tenant is a string that is not empty, or null for none")
	}
	return tenant.Text()
}

// sampleArgument reads {"percent": 12.5, "seed": "spring"}.
func (d *decoder) sampleArgument(path string, v Value) Argument {
	if v.Kind() != KindObject {
		d.fault(path, `in_sample takes {"percent": 12.5, "seed": "spring"}`)
		return Argument{}
	}
	d.only(path, v, "in_sample", "percent", "seed")
	percent, _ := v.Member("percent")
	seed, _ := v.Member("seed")
	if seed.Kind() != KindString {
		d.fault(keyPath(path, "seed"), "the seed is a string, and required: users who fall into one sample fall into each with its seed")
	}
	n := percent.Number()
	if percent.Kind() != KindNumber || n.Compare(IntNumber(0)) < 0 || n.Compare(IntNumber(100)) > 0 {
		d.fault(keyPath(path, "percent"), "the percentage is a number from 0 to 100, and required")
		return Argument{}
	}
	return Argument{Kind: ArgumentSample, Sample: newSample(seed.Text(), n)}
}
