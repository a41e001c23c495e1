{# day 2: Bob moves, Cat leaves, Dan comes; day 3: Cat is back and Dan leaves #}
{% set day = var('day') %}
select 1 as id, 'x' as grp, 'Ann' as name, 'Oslo' as city, cast('2024-01-01' as timestamp) as updated_at
union all
select 2, 'x', 'Bob', {{ "'Rome'" if day > 1 else "'Bern'" }}, cast({{ "'2024-02-01'" if day > 1 else "'2024-01-01'" }} as timestamp)
{% if day != 2 %}
union all
select 3, 'y', 'Cat', null, cast({{ "'2024-03-01'" if day > 2 else "'2024-01-01'" }} as timestamp)
{% endif %}
{% if day == 2 %}
union all
select 4, 'y', 'Dan', 'Kiel', cast('2024-02-01' as timestamp)
{% endif %}
