{% set at = modules.datetime.datetime(2024, 2, 29, 12, 30, 15, 250000) %}
{% set later = at + modules.datetime.timedelta(days=1, milliseconds=1500) %}
select
    '{{ at.isoformat() }}' as iso,
    '{{ at.strftime('%Y/%m/%d %H-%M-%S.%f %j %a %b') }}' as formatted,
    '{{ (later - at).total_seconds() }}' as seconds,
    '{{ (later - at) }}' as printed,
    '{{ (later - at).days }} {{ (later - at).seconds }} {{ (later - at).microseconds }}' as parts,
    '{{ modules.datetime.timedelta(hours=-1) }}' as negative,
    '{{ modules.pytz.timezone('UTC').localize(at).isoformat() }}' as zoned,
    '{{ modules.re.match('(\\d+)-(\\w+)', '12-ab').group(2) }}' as matched,
    '{{ modules.re.sub('[aeiou]', '_', 'shaduf') }}' as replaced,
    '{{ modules.itertools.chain([1], [2, 3]) | list }}' as chained
