select '{{ var('prefix') }}' as prefix, cast('w' as {{ var('word_type') }}) as word
