{% set unknown = '%s' is undefined %}
{% set ns = namespace(total=0, seen=[]) %}
{% for n in [3, 1, 2] if n is in [1, 2] %}
    {%- set ns.total = ns.total + n -%}
    {%- do ns.seen.append(loop.index ~ ':' ~ n) -%}
{% endfor %}
select
    '{{ größe(7) }}' as size,
    '{{ größe(7, 単位='m') }}' as other_size,
    '{{ formatted() }}' as formatted,
    '{{ collected(1, 2, 3, 4, z=5) | replace("'", "") }}' as collected,
    '{% call(x) wrapped() %}{{ x }}{% endcall %}' as wrapped,
    '{{ early(5) | join(' ') }}' as early,
    '{{ unknown }} {{ ns.total }} {{ ns.seen | join(',') }}' as counted,
    '{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % -3 }} {{ 2 ** 10 }} {{ 7 / 2 }} {{ 1e3 }} {{ 10 / 5 }} {{ 0.1 + 0.2 }}' as numbers,
    '{{ none }} {{ true }} {{ [1, none, 1.0] }} {{ {"a": (1,)} | replace("'", "") }}' as printed,
    '{{ "abc"[::-1] }} {{ [1, 2, 3][-2:] }} {{ "a-b-c".split("-", 1) | last }}' as sliced,
    '{{ "yes" if var("not_set", none) }}|{{ var("not_set", "fallback") }}' as absent
