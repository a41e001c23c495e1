{#- Of a list [{"action_type": ..., "value": ...}], the sum of the values of some types. -#}
{% macro sum_actions(column, types) -%}
{{ return(adapter.dispatch('sum_actions', 'ad_reporting')(column, types)) }}
{%- endmacro %}

{% macro default__sum_actions(column, types) -%}
cast(coalesce((
    select sum(cast(action ->> 'value' as decimal(18, 6)))
    from jsonb_array_elements(cast({{ column }} as jsonb)) as action
    where action ->> 'action_type' in ({% for type in types %}'{{ type }}'{{ ', ' if not loop.last }}{% endfor %})
), 0) as decimal(18, 6))
{%- endmacro %}

{% macro duckdb__sum_actions(column, types) -%}
cast(coalesce(list_sum(list_transform(
    list_filter(
        from_json({{ column }}, '["json"]'),
        lambda action: action ->> 'action_type' in ({% for type in types %}'{{ type }}'{{ ', ' if not loop.last }}{% endfor %})
    ),
    lambda action: cast(action ->> 'value' as decimal(18, 6))
)), 0) as decimal(18, 6))
{%- endmacro %}
